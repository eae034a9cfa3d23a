type ViewConstructor = new (buffer: ArrayBuffer) => ArrayBufferView;

const NAMES: ReadonlySet<string> = new Set([
  "BigInt64Array",
  "BigUint64Array",
  "DataView",
  "Float16Array",
  "Float32Array",
  "Float64Array",
  "Int16Array",
  "Int32Array",
  "Int8Array",
  "Uint16Array",
  "Uint32Array",
  "Uint8Array",
  "Uint8ClampedArray",
]);

/** Whether it is a typed array or a DataView. */
export function isView(thing: unknown): thing is ArrayBufferView {
  return ArrayBuffer.isView(thing);
}

/** The buffer of a view, if that shows all of it; else a copy of what it shows. */
export function ownBuffer(view: ArrayBufferView): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = view;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return buffer;
  return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength)).buffer;
}

/** Makes a view of that kind over a buffer; throws where this runtime has none of that name. */
export function reviveView(name: string, buffer: ArrayBuffer): ArrayBufferView {
  const View = NAMES.has(name) ? Reflect.get(globalThis, name) as ViewConstructor : undefined;
  if (View) return new View(buffer);
  throw new TypeError(`There is no ${name}`);
}
