/** Looking into JSON that nobody vouches for. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object at a path; an empty one where there is none. */
export function at(value: unknown, ...path: readonly string[]): Fields {
  const found = path.reduce<unknown>((inner, key) => (isFields(inner) ? inner[key] : undefined), value);
  return isFields(found) ? found : {};
}

/** The objects of a list; none where there is no list. */
export function items(value: unknown, key: string): readonly Fields[] {
  const found = isFields(value) ? value[key] : undefined;
  return Array.isArray(found) ? found.filter(isFields) : [];
}

export function text(value: unknown, key: string): string | undefined {
  const found = isFields(value) ? value[key] : undefined;
  return typeof found === 'string' ? found : undefined;
}
