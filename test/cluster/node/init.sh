#!/bin/sh
# init.sh FOLDER BUSYBOX: process 1 of a node's own mount, pid, network and uts namespaces. When it is killed, the kernel
# ends every process of the node and drops its mounts and network.
set -e
folder=$1 busybox=$2
mount --make-rshared /
# What containerd, kubelet and CNI plugins write at fixed places goes with the node.
mount -t tmpfs node /var/log
mount -t tmpfs node /run
mkdir -p /run/netns /run/containerd /run/var-lib /run/var-lib-work
mount -t overlay -o lowerdir=/var/lib,upperdir=/run/var-lib,workdir=/run/var-lib-work node /var/lib
"$busybox" ip link set lo up
"$busybox" ip addr add 10.96.0.1/32 dev lo # the Service of the API server, see forward.ts
echo 1 >/proc/sys/net/ipv4/ip_forward
"$busybox" hostname truss-test-node
echo ready >"$folder/ready"
while :; do sleep 3600; done
