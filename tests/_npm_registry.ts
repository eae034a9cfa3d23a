import { createHash } from "node:crypto";
import { gzipped, tarBytes } from "./_tar_bytes.ts";

/** A package of a registry that only a test has. */
export interface FakePackage {
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
  readonly type?: "module" | "commonjs";
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  /** What its integrity is said to be, in the place of the truth. */
  readonly integrity?: string;
}

/** A registry on this machine; gone at the end of its scope. */
export interface NpmRegistry extends AsyncDisposable {
  readonly url: string;
  /** What an `.npmrc` says to use it. */
  readonly npmrc: string;
}

/** Serves packages; their `index.js` is the entry. Every registry has an address of its own. */
export async function npmRegistry(packages: readonly FakePackage[]): Promise<NpmRegistry> {
  const tarballs = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const each of packages) tarballs.set(fileOf(each), await tarballOf(each));
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname, origin } = new URL(request.url);
    const path = decodeURIComponent(pathname.slice(1));
    const tarball = tarballs.get(path);
    if (tarball !== undefined) return new Response(tarball);
    const found = packages.filter(({ name }) => name === path);
    if (found.length === 0) return new Response("{}", { status: 404 });
    return Response.json({
      name: path,
      "dist-tags": { latest: found.at(-1)?.version },
      versions: Object.fromEntries(found.map((each) => {
        const integrity = each.integrity ?? integrityOf(tarballs.get(fileOf(each)));
        const dist = { tarball: `${origin}/${fileOf(each)}`, integrity };
        return [each.version, { ...manifestOf(each), dist }];
      })),
    });
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  return { url, npmrc: `registry=${url}\n`, [Symbol.asyncDispose]: () => server.shutdown() };
}

function fileOf({ name, version }: FakePackage): string {
  return `${name}/-/${name.split("/").at(-1)}-${version}.tgz`;
}

function manifestOf({ name, version, type, dependencies = {}, scripts }: FakePackage) {
  return {
    name,
    version,
    type: type ?? "commonjs",
    main: "index.js",
    dependencies,
    ...(scripts === undefined ? {} : { scripts, hasInstallScript: true }),
  };
}

async function tarballOf(each: FakePackage): Promise<Uint8Array<ArrayBuffer>> {
  const files = { "package.json": JSON.stringify(manifestOf(each)), ...each.files };
  return await gzipped(
    tarBytes(Object.entries(files).map(([path, body]) => ({ name: `package/${path}`, body }))),
  );
}

function integrityOf(bytes: Uint8Array | undefined): string {
  return `sha512-${createHash("sha512").update(bytes ?? new Uint8Array()).digest("base64")}`;
}
