import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programEnvironment } from './debian.ts';
import { run } from './process.ts';

/** The components' users, and their groups, by the name of their kubeconfig. */
const USERS = {
  'controller-manager': { name: 'system:kube-controller-manager', groups: '' },
  scheduler: { name: 'system:kube-scheduler', groups: '' },
  // the Node authorizer goes by the name and the group
  kubelet: { name: 'system:node:127.0.0.1', groups: 'system:nodes' },
};

/**
 * Writes into a control plane's folder what its components authenticate with: static tokens (tokens.csv), a kubeconfig for
 * each user of {@link USERS}, keys for ServiceAccount tokens. Gives the token of a cluster-admin.
 */
export async function writeCredentials(folder: string, server: string, caFile: string): Promise<string> {
  const write = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 });
  const admin = newToken();
  const tokens = [`${admin},truss-test-admin,admin,system:masters`];
  for (const [component, { name, groups }] of Object.entries(USERS)) {
    const token = newToken();
    tokens.push(`${token},${name},${component},${groups}`);
    await write(
      `${component}.kubeconfig`,
      kubeconfigWith({ server, 'certificate-authority': caFile }, token),
    );
  }
  await write('tokens.csv', `${tokens.join('\n')}\n`);
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  await write('sa.key', privateKey);
  await write('sa.pub', publicKey);
  return admin;
}

/**
 * Writes kubelet-client.crt and .key, with which the API server reads logs from a kubelet and runs commands: kubelet
 * knows no other way. It is its own issuer. `packages` holds Debian's openssl.
 */
export async function writeKubeletClient(folder: string, packages: string): Promise<void> {
  const file = (name: string) => join(folder, name);
  await writeFile(file('openssl.conf'), '[req]\ndistinguished_name = name\n[name]\n');
  const subject = '/O=system:masters/CN=kube-apiserver-kubelet-client';
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    file('kubelet-client.key'),
  ];
  const uses = ['-addext', 'basicConstraints=critical,CA:true', '-addext', 'extendedKeyUsage=clientAuth'];
  await run(
    join(packages, 'usr/bin/openssl'),
    [
      'req',
      '-x509',
      '-config',
      file('openssl.conf'),
      '-subj',
      subject,
      ...key,
      ...uses,
      '-out',
      file('kubelet-client.crt'),
    ],
    { env: programEnvironment(packages) },
  );
}

/** A kubeconfig of one user with a bearer token; JSON is YAML. */
export function kubeconfigWith(cluster: Readonly<Record<string, string | boolean>>, token: string): string {
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    },
    null,
    2,
  );
}

function newToken(): string {
  return randomBytes(16).toString('hex');
}
