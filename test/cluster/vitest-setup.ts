import { afterAll } from 'vitest';
import { removeMade } from './cluster.ts';
import { removeIdentityFiles } from './identity.ts';
import { endOperators } from './operator.ts';

afterAll(async () => {
  await endOperators();
  await removeMade();
  await removeIdentityFiles();
});
