interface ReadHost {
  /** In small letters, without a dot at the end; `*.` begins one that stands for all below. */
  readonly name: string;
  /** Nothing stands for all ports. */
  readonly port: number | undefined;
}

/** Tells whether a host, as Deno's flags have it, is another one, or part of what that stands for. */
export function containsHost(outer: string, inner: string): boolean {
  const [a, b] = [readHost(outer), readHost(inner)];
  return (a.port === undefined || a.port === b.port) && containsName(a.name, b.name);
}

/** What two hosts have in common; nothing where that can't be said in one. */
export function meetHosts(one: string, other: string): string | undefined {
  const [a, b] = [readHost(one), readHost(other)];
  const name = containsName(a.name, b.name)
    ? b.name
    : containsName(b.name, a.name)
    ? a.name
    : undefined;
  if (name === undefined) return undefined;
  const port = a.port ?? b.port;
  if (port !== (b.port ?? a.port)) return undefined;
  return port === undefined ? name : `${name}:${port}`;
}

function readHost(text: string): ReadHost {
  // An address of IPv6 stands in brackets; what has more colons is of another kind (`unix:/path`).
  const [, name, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (name === undefined) return { name: text, port: undefined };
  const plain = name.toLowerCase().replace(/\.$/, "");
  return { name: plain, port: port === undefined ? undefined : Number(port) };
}

function containsName(outer: string, inner: string): boolean {
  if (outer === inner) return true;
  // As Deno has it: `*.example.com` is every name below, and `example.com` itself.
  return outer.startsWith("*.") && (`.${inner}`).endsWith(outer.slice(1));
}
