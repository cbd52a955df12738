import { afterAll } from 'vitest';
import { removeMade } from './cluster.ts';
import { removeIdentityFiles } from './identity.ts';

afterAll(async () => {
  await removeMade();
  await removeIdentityFiles();
});
