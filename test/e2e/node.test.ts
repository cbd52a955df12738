import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { cluster, importImages, namespace, skipUnless } from '../cluster/cluster.ts';
import { eventually } from '../cluster/eventually.ts';
import { type ExecResult, exec } from '../cluster/exec.ts';
import { temporaryFolder } from '../cluster/guard.ts';
import { writeImage } from '../cluster/node/image.ts';
import { copyProgram } from '../cluster/node/images.ts';

const MINUTE = { within: 60_000 };

describe('a node that runs pods', () => {
  beforeEach((context) => skipUnless(context, 'nodes'));

  test('lets a pod wait for a Secret, read it as a file, and see it change', async () => {
    const { api, images } = cluster();
    const inNamespace = await namespace();
    const secrets = `/api/v1/namespaces/${inNamespace}/secrets`;
    await startPod(inNamespace, images.busybox, ['sleep', '3600']);
    const read = () => execIn(inNamespace, ['cat', '/secrets/token']);

    await api.post(secrets, { metadata: { name: 'given' }, stringData: { token: 'first' } });
    await eventually(
      async () => expect(await read()).toEqual({ stdout: 'first', stderr: '', exitCode: 0 }),
      MINUTE,
    );
    await api.patch(`${secrets}/given`, { stringData: { token: 'second' } });
    await eventually(async () => expect((await read()).stdout).toBe('second'), MINUTE);
  });

  test('gives the exit code and the errors of a command in a container', async () => {
    const inNamespace = await namespace();
    await startPod(inNamespace, cluster().images.busybox, ['sleep', '3600'], 'none');
    await eventually(async () => {
      const { stderr, exitCode } = await execIn(inNamespace, ['sh', '-c', 'echo oops >&2; exit 3']);
      expect({ stderr, exitCode }).toEqual({ stderr: 'oops\n', exitCode: 3 });
    }, MINUTE);
  });

  test('runs Node, and lets it reach the API server', async () => {
    const inNamespace = await namespace();
    const { api, images } = cluster();
    const script = `
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
      fetch('https://' + host + ':' + port + '/version').then((answer) => console.log(answer.status));`;
    await startPod(inNamespace, images.node, ['node', '-e', script], 'none');
    await eventually(async () => {
      expect(await api.text(`/api/v1/namespaces/${inNamespace}/pods/reader/log`)).toContain('200');
    }, MINUTE);
  });

  test('runs images that no registry has', async (context) => {
    skipUnless(context, 'importsImages');
    await using folder = await temporaryFolder(join(tmpdir(), 'truss-test-'));
    const [root, archive, name] = [
      join(folder.path, 'root'),
      join(folder.path, 'image.tar'),
      'truss.test/own:1',
    ];
    await copyProgram(process.execPath, '/bin/node', root);
    await writeImage({ name, root, entrypoint: ['/bin/node', '-p', '"own image"'] }, archive);
    await importImages(archive);

    const inNamespace = await namespace();
    await startPod(inNamespace, name, undefined, 'none');
    await eventually(async () => {
      expect(await cluster().api.text(`/api/v1/namespaces/${inNamespace}/pods/reader/log`)).toBe(
        'own image\n',
      );
    }, MINUTE);
  });
});

/** A pod "reader" with one container; it mounts the Secret `given` at /secrets, where one is asked for. */
async function startPod(
  inNamespace: string,
  image: string,
  command: readonly string[] | undefined,
  secret: 'given' | 'none' = 'given',
): Promise<void> {
  const mounted = secret === 'given';
  await cluster().api.post(`/api/v1/namespaces/${inNamespace}/pods`, {
    metadata: { name: 'reader' },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image,
          imagePullPolicy: 'IfNotPresent',
          command,
          volumeMounts: mounted ? [{ name: 'given', mountPath: '/secrets' }] : [],
        },
      ],
      volumes: mounted ? [{ name: 'given', secret: { secretName: 'given' } }] : [],
    },
  });
}

async function execIn(inNamespace: string, command: readonly string[]): Promise<ExecResult> {
  return await exec(cluster().access, { namespace: inNamespace, pod: 'reader' }, command);
}
