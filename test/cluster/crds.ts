import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Api, ApiError } from './api.ts';
import { eventually } from './eventually.ts';
import { RUN_LABEL } from './leftovers.ts';
import { say } from './say.ts';

const FOLDER = join(import.meta.dirname, '../../crds');
const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const Crd = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
    resourceVersion: z.string().optional(),
  }),
  status: z
    .looseObject({ conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })) })
    .optional(),
});
type Crd = z.infer<typeof Crd>;

/**
 * Installs the project's CRDs, labelled as the run's, and waits until they are served. One that is there from
 * elsewhere is left as it is; one that an earlier run left is brought up to date.
 */
export async function installCrds(api: Api, run: string): Promise<void> {
  const files = existsSync(FOLDER)
    ? readdirSync(FOLDER).filter((name) => name.startsWith('truss-secrets.dev_'))
    : [];
  for (const file of files)
    await install(api, Crd.parse(parse(readFileSync(join(FOLDER, file), 'utf8'))), run);
}

async function install(api: Api, crd: Crd, run: string): Promise<void> {
  const { name } = crd.metadata;
  const there = await find(api, name);
  if (there === undefined) {
    const labels = { ...crd.metadata.labels, [RUN_LABEL]: run };
    await api.post(PATH, { ...crd, metadata: { ...crd.metadata, labels } });
  } else if (there.metadata.labels?.[RUN_LABEL] === undefined) {
    say(`the CRD ${name} is there already and stays as it is`);
  } else {
    const { labels, resourceVersion } = there.metadata;
    await api.put(`${PATH}/${name}`, { ...crd, metadata: { ...crd.metadata, labels, resourceVersion } });
  }
  await eventually(
    async () => {
      const conditions = (await find(api, name))?.status?.conditions ?? [];
      if (!conditions.some(({ type, status }) => type === 'Established' && status === 'True')) {
        throw new Error(`the CRD ${name} is not established: ${JSON.stringify(conditions)}`);
      }
    },
    { within: 30_000 },
  );
}

async function find(api: Api, name: string): Promise<Crd | undefined> {
  try {
    return Crd.parse(await api.get(`${PATH}/${name}`));
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return undefined;
    throw error;
  }
}
