import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const FOLDER = fileURLToPath(new URL('../../../shared/corpus/truss-examples/', import.meta.url));

const Expected = z.record(
  z.string(),
  z.object({
    from: z.string(),
    secrets: z.record(z.string(), z.enum(['null', 'falsy', 'value'])).optional(),
    error: z.string().optional(),
  }),
);

interface RealConfig {
  /** Its name in the corpus. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** What PyYAML 6 reads; see the README of the corpus. */
  readonly expected: z.output<typeof Expected>[string];
}

export const NO_CORPUS = 'the corpus of real files is not beside this repository (../shared/corpus)';

/** Real config.yaml files from basetenlabs/truss-examples; none where the corpus is not there. */
export function realConfigs(): readonly RealConfig[] {
  if (!existsSync(FOLDER)) return [];
  const expected = Expected.parse(JSON.parse(readFileSync(`${FOLDER}expected.json`, 'utf8')));
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => {
      const entry = expected[file];
      if (entry === undefined) throw new Error(`expected.json lacks ${file}`);
      return { file, bytes: readFileSync(FOLDER + file), expected: entry };
    });
}
