import { readFileSync } from 'node:fs';
import { cluster } from '../cluster/cluster.ts';
import { eventually } from '../cluster/eventually.ts';
import type { World } from '../cluster/world.ts';
import { POD_MS } from './pods.ts';

const SCRIPT = readFileSync(new URL('registry.cjs', import.meta.url), 'utf8');

export interface Registry {
  /** As it is written in front of an image. */
  readonly host: string;
  /** A busybox, which no node has under this name. */
  readonly image: string;
  /** Only pods of this node reach it: containerd pulls from the node's own loopback without TLS. */
  readonly nodeName: string;
}

/** Starts a registry that gives its only image to those who know the credential (`user:password`). */
export async function startRegistry(world: World, credential: string): Promise<Registry> {
  const { api, images } = cluster();
  const volumeMounts = [{ name: 'image', mountPath: '/image' }];
  const container = { imagePullPolicy: 'IfNotPresent', volumeMounts };
  await api.post(world.path('pods'), {
    metadata: { name: 'registry' },
    spec: {
      hostNetwork: true,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      initContainers: [
        {
          ...container,
          name: 'layer',
          image: images.busybox,
          // some have their libraries elsewhere, some need none
          command: ['sh', '-c', 'cd / && tar -cf /image/layer.tar $(ls -d bin lib lib64)'],
        },
      ],
      containers: [
        { ...container, name: 'registry', image: images.node, command: ['node', '-e', SCRIPT, credential] },
      ],
      volumes: [{ name: 'image', emptyDir: {} }],
    },
  });
  const path = world.path('pods', 'registry');
  const port = await eventually(
    async () => {
      const log = await api.text(`${path}/log?container=registry`);
      if (!/^\d+\n$/.test(log)) throw new Error(`the registry says ${log}`);
      return log.trim();
    },
    { within: POD_MS },
  );
  const { spec } = await api.get<{ spec: { nodeName: string } }>(path);
  const host = `127.0.0.1:${port}`;
  return { host, image: `${host}/model:1`, nodeName: spec.nodeName };
}
