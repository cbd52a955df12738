import { existsSync } from 'node:fs';

/** A file of the project: beside `src` in a clone, beside the program in what is shipped. */
export function asset(path: string): URL {
  const places = ['../../', '../', './'].map((base) => new URL(`${base}${path}`, import.meta.url));
  const found = places.find((place) => existsSync(place));
  if (!found) throw new Error(`${path} is missing from this installation`);
  return found;
}
