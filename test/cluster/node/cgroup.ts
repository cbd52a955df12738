import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { guardCgroup } from '../guard.ts';

const ROOT = '/sys/fs/cgroup';
/** A file that only the unified hierarchy (cgroup v2) has. */
const UNIFIED = join(ROOT, 'cgroup.controllers');

/**
 * A control group for a node, below the root of each hierarchy: version 1 has one a controller, version 2 a single
 * one. Gives the paths to remove: runc makes groups in a second hierarchy of version 2 too. They are removed when this
 * process ends.
 */
export async function makeCgroup(name: string): Promise<readonly string[]> {
  const hierarchies = existsSync(UNIFIED)
    ? [ROOT]
    : readdirSync(ROOT).map((controller) => join(ROOT, controller));
  const groups = hierarchies.map((hierarchy) => join(hierarchy, name));
  for (const group of groups) guardCgroup(group);
  if (existsSync(UNIFIED)) {
    await writeFile(join(ROOT, 'cgroup.subtree_control'), '+cpu +cpuset +memory +pids');
    await mkdir(join(ROOT, name));
    return groups;
  }
  for (const hierarchy of hierarchies.filter((path) => existsSync(join(path, 'cgroup.clone_children')))) {
    const group = join(hierarchy, name);
    await mkdir(group);
    // a cpuset without processors takes no process
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (existsSync(join(group, file)))
        await writeFile(join(group, file), readFileSync(join(hierarchy, file)));
    }
    await writeFile(join(group, 'cgroup.clone_children'), '1');
  }
  return groups;
}
