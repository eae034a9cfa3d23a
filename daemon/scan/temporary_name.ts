/** Whether a name is one that editors, copies and builds give to what is not done: it is ignored. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(".") || /(~|\.tmp|\.part)$/.test(name);
}
