import { assert, assertEquals } from "@std/assert";
import { basename, dirname, fromFileUrl, join, relative } from "@std/path";
import config from "../deno.json" with { type: "json" };

/** What each folder may import of the others: what its arrow leads to, however far. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  artifact: [],
  plugin: ["artifact"],
  manager: ["plugin", "artifact"],
  daemon: ["manager", "plugin", "artifact"],
  builder: ["plugin", "artifact"],
  cli: ["daemon", "manager", "builder", "plugin", "artifact"],
};
const MAX_LINES = 300;

const ROOT_URL = new URL("../", import.meta.url);
const ROOT = fromFileUrl(ROOT_URL);
const FILES = await filesBelow(ROOT);
const PRODUCT = FILES.filter((file) => isModule(file) && folderOf(file) in ARROWS);

interface Import {
  readonly from: string;
  /** As it is written. */
  readonly specifier: string;
  /** The file it leads to, or the whole specifier where that is none of the project's. */
  readonly to: string;
}

const IMPORTS = await importsOf(FILES.filter(isModule));

Deno.test("folders import along their arrows only", () => {
  const wrong = IMPORTS.filter(({ from, to }) => {
    const [folder, other] = [folderOf(from), folderOf(to)];
    if (!(folder in ARROWS) || folder === other || !to.endsWith(".ts")) return false;
    return other !== "std" && !ARROWS[folder]?.includes(other);
  });
  assertEquals(wrong.map(arrow), []);
});

Deno.test("no file imports itself by way of others, for a type neither", () => {
  assertEquals(circles(PRODUCT, IMPORTS), []);
});

Deno.test("no folder in a folder imports itself by way of others", () => {
  const isInner = (file: string) => dirname(file).includes("/");
  const between = IMPORTS
    .filter(({ from, to }) => isInner(from) && isInner(to) && folderOf(from) === folderOf(to))
    .map(({ from, to }) => ({ from: dirname(from), to: dirname(to) }))
    .filter(({ from, to }) => from !== to);
  const folders = [...new Set(PRODUCT.filter(isInner).map((file) => dirname(file)))];
  assert(folders.length > 10 && between.length > 10);
  assertEquals(circles(folders, between), []);
});

Deno.test("a file whose name begins with _ is imported in its own folder only", () => {
  const wrong = IMPORTS.filter(({ from, to }) =>
    basename(to).startsWith("_") && dirname(from) !== dirname(to)
  );
  assertEquals(wrong.map(arrow), []);
});

Deno.test("what is not the project's own comes by deno.json's map, in one exact version", () => {
  const map: Readonly<Record<string, string>> = config.imports;
  const own = new RegExp(`^(\\.\\.?/|node:|${config.name}(/|$))`);
  const mapped = (specifier: string) =>
    Object.keys(map).some((name) => specifier === name || specifier.startsWith(`${name}/`));
  const wrong = IMPORTS.filter(({ from, specifier }) =>
    !from.startsWith("std/") && !own.test(specifier) && !mapped(specifier)
  );
  assertEquals(wrong.map(arrow), []);
  const loose = Object.values(map).filter((target) =>
    !/^(jsr|npm):@?[^@]+@\d+\.\d+\.\d+(-[\w.]+)?(\/[\w/]+)?$/.test(target)
  );
  assertEquals(loose, []);
});

Deno.test("every mod.ts lists its exports by hand, and has no default", async () => {
  const doors = PRODUCT.filter((file) => basename(file) === "mod.ts");
  for (const file of ["mod.ts", ...doors]) {
    const text = await Deno.readTextFile(join(ROOT, file));
    assert(!/^\s*export\s*(type\s*)?\*/m.test(text), `${file} exports a whole module`);
  }
  for (const file of ["mod.ts", ...PRODUCT]) {
    const text = await Deno.readTextFile(join(ROOT, file));
    assert(!/^export default\b/m.test(text), `${file} has a default export`);
  }
});

Deno.test(`no file of the product is longer than ${MAX_LINES} lines`, async () => {
  const long: string[] = [];
  for (const file of PRODUCT) {
    const lines = (await Deno.readTextFile(join(ROOT, file))).split("\n").length - 1;
    if (lines > MAX_LINES) long.push(`${file}: ${lines}`);
  }
  assertEquals(long, []);
});

Deno.test("nothing names a place of the machine it was written on, or is left to be done", async () => {
  // In pieces, or this file would hold them itself.
  const words = ["TO" + "DO", "FIX" + "ME", "deno-" + "real", "test.on" + "ly("];
  const place = /(?<![\w.$}])\/(home|Users|root|work|tmp|var\/folders)\/\w+/;
  const found: string[] = [];
  for (const file of FILES) {
    const text = await Deno.readTextFile(join(ROOT, file));
    for (const word of words) if (text.includes(word)) found.push(`${file}: ${word}`);
    const [path] = place.exec(text) ?? [];
    if (path !== undefined || isRoot(text)) found.push(`${file}: ${path ?? ROOT}`);
  }
  assertEquals(found, []);
});

/** Where a checkout lies deep enough for its path to be no accident. */
function isRoot(text: string): boolean {
  const root = dirname(join(ROOT, "x"));
  return root.split(/[\\/]/).length > 2 && text.includes(root);
}

/** The ways that lead from something back to itself. */
function circles(nodes: readonly string[], edges: readonly Omit<Import, "specifier">[]): string[] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (node: string, path: readonly string[]): void => {
    if (path.includes(node)) {
      found.push([...path.slice(path.indexOf(node)), node].join(" → "));
    } else if (!done.has(node)) {
      for (const { to } of next.get(node) ?? []) visit(to, [...path, node]);
      done.add(node);
    }
  };
  for (const node of nodes) visit(node, []);
  return found;
}

async function filesBelow(root: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(root)) {
    if (name === ".git" || name === "node_modules") continue;
    const path = join(root, name);
    if (isDirectory) files.push(...await filesBelow(path));
    else if (isFile) files.push(relative(ROOT, path).replaceAll("\\", "/"));
  }
  return files.sort();
}

/** Asks Deno itself, about all files at once: it sees what is imported for a type too. */
async function importsOf(files: readonly string[]): Promise<Import[]> {
  const all = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = files.map((file) => `import type {} from "${new URL(file, ROOT_URL)}";`);
    await Deno.writeTextFile(all, lines.join("\n"));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", join(ROOT, "deno.json"), all],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    return readGraph(JSON.parse(new TextDecoder().decode(stdout)));
  } finally {
    await Deno.remove(all);
  }
}

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

function readGraph({ modules }: Graph): Import[] {
  const imports: Import[] = [];
  for (const { specifier: url, error, dependencies = [] } of modules) {
    assertEquals(error, undefined, url);
    const from = fileOf(url);
    if (from === url) continue;
    for (const { specifier, code, type } of dependencies) {
      const target = code?.specifier ?? type?.specifier ?? specifier;
      imports.push({ from, specifier, to: fileOf(target) });
    }
  }
  // Without this an empty graph would pass for a tidy one.
  assert(imports.length > FILES.filter(isModule).length, "the graph is too small to be true");
  return imports;
}

/** Relative to the root; what lies outside stays as it is. */
function fileOf(url: string): string {
  return url.startsWith(ROOT_URL.href) ? decodeURI(url.slice(ROOT_URL.href.length)) : url;
}

function folderOf(file: string): string {
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : "";
}

function isModule(file: string): boolean {
  return file.endsWith(".ts");
}

function arrow({ from, specifier }: Import): string {
  return `${from} → ${specifier}`;
}
