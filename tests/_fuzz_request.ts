import type { Random } from "./random.ts";

/** A request, or what is none. */
export interface FuzzedRequest {
  /** What stands for the path. */
  readonly target: string;
  /** Its bytes, in the pieces that they are sent in. */
  readonly pieces: readonly Uint8Array<ArrayBuffer>[];
  /** Between two pieces, in milliseconds. */
  readonly pause: number;
  /** Whether it is broken off after the last piece. */
  readonly cut: boolean;
}

/** What a server that is asked knows. */
export interface FuzzedServer {
  /** Its paths. */
  readonly paths: readonly string[];
  /** The headers that let a request in. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bodies that make sense. */
  readonly bodies: readonly unknown[];
}

const METHODS = [
  "GET",
  "GET",
  "POST",
  "POST",
  "PUT",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PATCH",
];
const ODD_METHODS = ["CONNECT", "get", "G ET", "", "BREW", "\0", "X".repeat(5_000), "PRI"];
const CLIMBS = [
  "../",
  "..%2f",
  "%2e%2e/",
  "%2e%2e%2f",
  "..%5c",
  "..\\",
  "%252e%252e%252f",
  "..%c0%af",
  "%00",
  "..;/",
  "....//",
  "/./",
  "//",
];
const NAMES = [
  "pricing",
  "etc",
  "passwd",
  "state.json",
  "__proto__",
  "constructor",
  "%",
  "%zz",
  "ä",
];
const LETTERS = "abcXYZ019%/\\.:;?#&=+ \t\"'<>{}[]|^~`\u00e4\u{1f600}\0\x7f";

/** Makes a request that may be anything between a good one and noise. */
export function fuzzRequest(random: Random, server: FuzzedServer): FuzzedRequest {
  if (random.below(60) === 0) return noise(random);
  const method = random.below(25) === 0 ? random.pick(ODD_METHODS) : random.pick(METHODS);
  const target = targetOf(random, server);
  const body = method === "GET" && random.below(4) !== 0 ? "" : bodyOf(random, server);
  const { lines, framed, cut } = frame(random, body);
  const head = [
    `${method} ${target} HTTP/1.${random.below(30) === 0 ? "9" : "1"}`,
    ...headersOf(random, server),
    ...lines,
    "connection: close",
  ];
  const end = random.below(40) === 0 ? "\n" : "\r\n";
  const bytes = new TextEncoder().encode(`${head.join(end)}${end}${end}${framed}`);
  return { target, ...delivery(random, bytes, cut) };
}

function noise(random: Random): FuzzedRequest {
  const bytes = new Uint8Array(random.below(2_000) + 1).map(() => random.below(256));
  return { target: "", ...delivery(random, bytes, true) };
}

function targetOf(random: Random, { paths }: FuzzedServer): string {
  const path = random.pick(paths).replaceAll(/\{\w+\}/g, () => part(random));
  switch (random.below(14)) {
    case 0:
      return `/${climb(random)}${path.slice(1)}`;
    case 1:
      return `${path}/${climb(random)}${part(random)}`;
    case 2:
      return `${path}?${random.text(LETTERS, random.below(50)).replaceAll(/[\s\0]/g, "")}`;
    case 3:
      return `/${random.text(LETTERS, random.below(200))}`;
    case 4:
      return random.pick(["*", `http://evil.example${path}`, path.slice(1), `${path}#x`, "/", "?"]);
    default:
      return path;
  }
}

function climb(random: Random): string {
  return Array.from({ length: 1 + random.below(6) }, () => random.pick(CLIMBS)).join("");
}

function part(random: Random): string {
  switch (random.below(10)) {
    case 0:
      return `${climb(random)}${random.pick(NAMES)}`;
    case 1:
      return encodeURIComponent(
        random.text(LETTERS.replace("\u{1f600}", ""), 1 + random.below(20)),
      );
    case 2:
    case 3:
      return random.pick(["20240101000000", "0", "-1", "9".repeat(300), "NaN", "x".repeat(9_000)]);
    case 4:
      return random.pick(NAMES);
    default:
      return "pricing";
  }
}

function bodyOf(random: Random, { bodies }: FuzzedServer): string {
  switch (random.below(12)) {
    case 0:
      return "[".repeat(random.below(20_000));
    case 1:
      return random.text(LETTERS, random.below(500));
    case 2:
      return JSON.stringify({ [random.text(LETTERS, 5)]: random.below(100) });
    case 3:
      return `{"__proto__":{"level":"info","symbol":"x"},"constructor":null}`;
    case 4:
      return random.below(20) === 0 ? "x".repeat(2_000_000) : "";
    default:
      return JSON.stringify(random.pick(bodies));
  }
}

function headersOf(random: Random, { headers }: FuzzedServer): string[] {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  lines.push(
    random.below(20) === 0
      ? random.pick(["host:", "x: y", "host: a\r\nhost: b", "host: evil.example", "host: [::"])
      : "host: 127.0.0.1",
  );
  if (random.below(8) !== 0) lines.push("content-type: application/json");
  switch (random.below(40)) {
    case 0:
      lines.push(`x-long: ${"y".repeat(random.below(100_000))}`);
      break;
    case 1:
      for (let count = random.below(300); count > 0; count--) lines.push(`x-${count}: ${count}`);
      break;
    case 2:
      lines.push(random.pick(["expect: 100-continue", "upgrade: websocket", "te: trailers, x"]));
      break;
    case 3:
      lines.push(random.pick(["no colon", " folded", ": empty", "x\0y: z", "a: b\rc: d", "é: ü"]));
      break;
    case 4:
      lines.push(`last-event-id: ${random.text("abc019-\x00\x80", random.below(40))}`);
      break;
    case 5:
      lines.push(random.pick(["origin: null", "origin: http://127.0.0.1", "sec-fetch-site: x"]));
      break;
  }
  return lines;
}

function frame(random: Random, body: string): { lines: string[]; framed: string; cut: boolean } {
  const size = new TextEncoder().encode(body).length;
  switch (random.below(30)) {
    case 0: {
      const chunks = body.match(/[^]{1,50}/gu) ?? [];
      const framed = chunks.slice(0, 200).map((each) =>
        `${new TextEncoder().encode(each).length.toString(16)}\r\n${each}\r\n`
      ).join("");
      return { lines: ["transfer-encoding: chunked"], framed: `${framed}0\r\n\r\n`, cut: false };
    }
    case 1: {
      const framed = random.pick([
        "zz\r\n",
        "5\r\nabc",
        "-1\r\n\r\n",
        `${"f".repeat(20)}\r\nx`,
        "5;\0",
      ]);
      return { lines: ["transfer-encoding: chunked"], framed, cut: true };
    }
    case 2: {
      const length = random.pick(["-1", "x", "99999999999999999999", String(size + 10), "1, 2"]);
      return { lines: [`content-length: ${length}`], framed: body, cut: true };
    }
    case 3: {
      const lines = [`content-length: ${size}`, "transfer-encoding: chunked"];
      return { lines, framed: `0\r\n\r\n${body}`, cut: true };
    }
    default:
      return { lines: [`content-length: ${size}`], framed: body, cut: false };
  }
}

function delivery(
  random: Random,
  bytes: Uint8Array<ArrayBuffer>,
  cut: boolean,
): Omit<FuzzedRequest, "target"> {
  switch (random.below(25)) {
    case 0: {
      const step = Math.max(1, Math.ceil(bytes.length / 8));
      const pieces = Array.from(
        { length: Math.ceil(bytes.length / step) },
        (_, index) => bytes.slice(index * step, (index + 1) * step),
      );
      return { pieces, pause: 5, cut };
    }
    case 1:
      return { pieces: [bytes.slice(0, random.below(bytes.length))], pause: 0, cut: true };
    default:
      return { pieces: [bytes], pause: 0, cut };
  }
}
