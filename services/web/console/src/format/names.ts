// Resource names: "meters/m1" -> "m1".
export function idOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
