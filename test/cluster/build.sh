#!/bin/sh
# build.sh SOURCE.tar.gz REFLECT2 WORK OUT COMPONENT...
#
# Builds Kubernetes components from the source package of Debian 12 into OUT. Called by binaries.ts, which brings Go
# (first in PATH, GOROOT set) and removes WORK. Prints "step TEXT", "total N", and the import path of each package
# that is compiled.
#   SOURCE    kubernetes_*.orig.tar.gz (Debian's own patches touch kubectl only, which is not built here)
#   REFLECT2  folder of a github.com/modern-go/reflect2 that works with this Go
#   COMPONENT kube-apiserver, kube-controller-manager, kube-scheduler, kubelet
set -eu
source=$1 reflect2=$2 work=$3 out=$4
shift 4
version=${source##*[_y]} version=${version%.orig.tar.gz} # of kubernetes_1.20.5+really1.20.2.orig.tar.gz: 1.20.2
module=k8s.io/kubernetes
root=$work/gopath/src/$module

export CGO_ENABLED=0 GO111MODULE=off GOFLAGS= GOPATH="$work/gopath" GOCACHE="$work/gocache" GOTMPDIR="$work"
export GOGC=400 # the compiler collects garbage less often: faster, for some 100 MB more

# Without cloud providers and Docker shim a fifth of the code goes; a cluster on loopback uses none of it.
go_build() { go build -v -tags providerless,dockerless "$@" 2>&1; }

# The source package ships without this file, and an API server without it can't serve server-side apply.
generate_openapi() {
  go build -o "$work/openapi-gen" $module/vendor/k8s.io/kube-openapi/cmd/openapi-gen
  dirs=$(grep -rl --include='*.go' '^// +k8s:openapi-gen=true' pkg staging/src/k8s.io |
    sed 's#/[^/]*$##' | sort -u | grep -vE 'example|sample|testapigroup|code-generator' |
    sed -e "s#^staging/src/#$module/vendor/#" -e "s#^pkg/#$module/pkg/#" | paste -sd,)
  "$work/openapi-gen" -O zz_generated.openapi --go-header-file vendor/k8s.io/code-generator/hack/boilerplate.go.txt \
    --output-base "$work/gopath/src" --input-dirs "$dirs" --output-package $module/pkg/generated/openapi \
    --report-filename "$work/openapi-report" >"$work/openapi-log" 2>&1 || { cat "$work/openapi-log"; return 1; }
}

echo "step unpacking the source of Kubernetes $version"
mkdir -p "$root" "$out"
tar -C "$root" --strip-components=1 -xzf "$source"
cd "$root"
# The vendored 1.0.1 crashes with Go 1.18 and later: every POST of a CRD fails with INTERNAL_ERROR.
rm -rf vendor/github.com/modern-go/reflect2
cp -r "$reflect2" vendor/github.com/modern-go/reflect2

commands=
for component; do commands="$commands $module/cmd/$component"; done
packages=$(go list -e -deps -tags providerless,dockerless $commands)
echo "total $(echo "$packages" | wc -l)"

# The generator runs on one core: the rest compiles meanwhile. Only cmd/kube-apiserver/app needs what it generates.
generator=
case " $* " in *" kube-apiserver "*)
  generate_openapi & generator=$! ;;
esac
trap '[ -z "$generator" ] || kill "$generator" 2>/dev/null || :' EXIT
echo "step compiling $*"
go_build $(echo "$packages" | grep -vE "^$module/(cmd/|pkg/generated/openapi)")
[ -z "$generator" ] || wait "$generator"
generator=

versions=
for package in $module/vendor/k8s.io/component-base/version $module/vendor/k8s.io/client-go/pkg/version; do
  versions="$versions -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=20"
done
echo "step linking $*"
go_build -ldflags "-s -w $versions" -o "$out/" $commands
