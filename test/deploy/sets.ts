import { join } from 'node:path';
import type { Features } from '../cluster/features.ts';
import { kustomize, type Manifest } from './kustomize.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');

/** The sets of manifests that an API server takes whole, below deploy/; the first one is what most would install. */
export function setsFor({ policyV1, validatingAdmissionPolicy }: Features): readonly [string, ...string[]] {
  if (validatingAdmissionPolicy) return ['.', 'overlays/approval', 'overlays/namespaced'];
  return [policyV1 ? 'overlays/kubernetes-1.25' : 'overlays/kubernetes-1.20'];
}

/** The objects of a set. */
export const objectsOfSet = (set: string): readonly Manifest[] => kustomize(join(DEPLOY, set));
