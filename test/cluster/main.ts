import { parseArgs } from 'node:util';
import { devCluster, down, keep, up } from './dev.ts';

const USAGE = `npm run cluster -- COMMAND
  up       starts a cluster that stays until "down"
           --node   with a node that runs pods (needs root)
           --audit  the API server logs every request
  status   says whether it runs
  down     ends it`;

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      audit: { type: 'boolean', default: false },
      node: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  switch (positionals.join(' ')) {
    case 'up':
      await up(values);
      return status();
    case 'status':
      return status();
    case 'down':
      console.log((await down()) ? 'The cluster is down.' : 'No cluster is up.');
      return 0;
    case 'keep':
      return await keep(values);
    default:
      console.error(USAGE);
      return 2;
  }
}

function status(): number {
  const cluster = devCluster();
  if (cluster === undefined) {
    console.log('No cluster is up. Start one: npm run cluster -- up');
    return 1;
  }
  console.log(`The cluster is up at ${cluster.server}
export KUBECONFIG=${cluster.kubeconfig}                     # for kubectl
export TRUSS_SECRETS_TEST_KUBECONFIG=${cluster.kubeconfig}  # for the tests`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
