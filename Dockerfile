# The daemon, and the Open vSwitch clients with which it programs a switch outside the container.
FROM node:20.20.2-bookworm-slim@sha256:2cf067cfed83d5ea958367df9f966191a942351a2df77d6f0193e162b5febfc0 AS node
WORKDIR /app

FROM node AS manifest
COPY package.json package-lock.json .npmrc ./

FROM manifest AS build
# When a download breaks off npm may leave half the packages and still exit with 0, and the half would be
# kept as a layer. This file it writes last.
RUN npm ci && test -e node_modules/.package-lock.json
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma prisma
COPY scripts scripts
COPY src src
RUN npm run -s build

FROM manifest AS packages
# Types are a dependency of Prisma's adapter; nothing reads them here.
RUN npm ci --omit=dev && test -e node_modules/.package-lock.json \
    && rm -rf node_modules/@types node_modules/undici-types

FROM node
RUN apt-get update \
    && apt-get install -y --no-install-recommends openvswitch-common \
    && rm -rf /var/lib/apt/lists/*
COPY package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/prisma/migrations prisma/migrations
ENV NODE_ENV=production PATCHBAY_DATA_DIR=/data
RUN mkdir -m 0700 /data && chown node:node /data
VOLUME /data
EXPOSE 8080
# Without a switch no privilege is needed. A switch's sockets belong to root: the compose file's
# ovs profile says so where it mounts them.
USER node
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
    CMD ["node", "-e", "fetch('http://127.0.0.1:8080/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
