# The image of the operator, which is also the command line: no shell, no npm, one layer of our own.
#
#   docker build -t truss-secrets:0.1.0 .
#
# Both bases are arguments, so that it can be built on others: the first one needs npm and a shell, the second one Node 24
# alone. Reproducible from the lockfile: with the same bases and SOURCE_DATE_EPOCH (or `buildah build --timestamp`) it is
# the same to the byte.
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
ARG BASE_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# Nothing that is installed runs code of its own.
RUN npm ci --ignore-scripts --prefer-offline --no-audit --no-fund
COPY build.ts README.md LICENSE ./
COPY src src
COPY examples/gfpgan examples/gfpgan
RUN node build.ts /out

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="truss-secrets" \
      org.opencontainers.image.description="Brings the secrets that a Truss model declares onto its pods" \
      org.opencontainers.image.licenses="Apache-2.0"
# Where distroless has Node, then where others have it.
ENV PATH=/nodejs/bin:/usr/local/bin:/usr/bin:/bin \
    NODE_ENV=production
# glibc keeps what the lists of a start took, and V8's compilers: to give it back at once saves 30 MB (measured).
ENV MALLOC_ARENA_MAX=1 \
    MALLOC_MMAP_THRESHOLD_=32768 \
    MALLOC_TRIM_THRESHOLD_=131072
COPY --from=build /out /app
# Any user will do: it writes no file.
USER 65532:65532
# V8 would let garbage grow to several times what lives, and keep the room for it: see docs/decisions/0007.
# Its best compiler is for what runs for long: a burst is over before that has paid (measured).
ENTRYPOINT ["node", "--max-semi-space-size=8", "--heap-growing-percent=40", "--expose-gc", "--no-memory-reducer", "--invocation-count-for-turbofan=200000", "/app/main.js"]
