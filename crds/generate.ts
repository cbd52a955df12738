import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { modelDeploymentCrd, modelTrustCrd } from '../src/api/crd.ts';

const HEADER = '# Generated from src/api by `npm run generate`: edit there.\n';

const text = (manifest: object): string =>
  HEADER + stringify(manifest, { aliasDuplicateObjects: false, lineWidth: 120 });

/** Name and content of each generated manifest in this folder. */
export const crdFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ['truss-secrets.dev_modeldeployments.yaml', text(modelDeploymentCrd())],
    ['truss-secrets.dev_modeltrusts.yaml', text(modelTrustCrd())],
  ]);

if (import.meta.main) {
  for (const [name, content] of crdFiles()) writeFileSync(new URL(name, import.meta.url), content);
}
