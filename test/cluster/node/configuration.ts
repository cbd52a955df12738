import { PAUSE_IMAGE } from './images.ts';

/** JSON is YAML: kubelet reads it. */
export function kubeletConfiguration(options: {
  readonly port: number;
  readonly clientCaFile: string;
  readonly cgroup: string;
  readonly resolvConf: string;
}): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: '127.0.0.1',
    port: options.port,
    readOnlyPort: 0,
    healthzPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: options.clientCaFile },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${options.cgroup}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    resolvConf: options.resolvConf,
    // a changed Secret reaches a pod's files within this time
    syncFrequency: '5s',
    nodeStatusUpdateFrequency: '1s',
    nodeStatusReportFrequency: '1m',
    // the disk of a developer's machine is often nearly full
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    serializeImagePulls: false,
    eventRecordQPS: 0,
  });
}

export function containerdConfiguration(options: {
  readonly root: string;
  readonly cniPlugins: string;
  readonly cniConfiguration: string;
  readonly runc: string;
}): string {
  return `version = 2
root = "${options.root}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  disable_apparmor = true
  disable_hugetlb_controller = true
  # without CAP_SYS_RESOURCE (in a container, say) runc can't lower a score
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${options.cniPlugins}"
    conf_dir = "${options.cniConfiguration}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "${options.runc}"
`;
}

/** One bridge, inside the node's network namespace. */
export const CNI_CONFIGURATION = JSON.stringify({
  cniVersion: '0.4.0',
  name: 'test',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      isDefaultGateway: true,
      ipMasq: false,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.244.0.0/24' }]] },
    },
  ],
});
