import { afterAll, beforeEach } from 'vitest';
import { removeMade, removeTried } from './cluster.ts';
import { removeIdentityFiles } from './identity.ts';
import { endOperators, endTried } from './operator.ts';

beforeEach(async ({ task }) => {
  // those that run at the same time have a namespace each
  if (task.concurrent === true) return;
  const again = (task.result?.retryCount ?? 0) > 0;
  await endTried(again);
  await removeTried(again);
});

afterAll(async () => {
  await endOperators();
  await removeMade();
  await removeIdentityFiles();
});
