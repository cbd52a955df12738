import type { BenchCluster } from './bench-cluster.ts';
import type { Bundle } from './bundle.ts';

/** A cluster on which the operator has brought so many models to where they should be. */
export interface Scene {
  readonly cluster: BenchCluster;
  readonly bundle: Bundle;
  /** For files of this run. */
  readonly folder: string;
  readonly count: number;
}
