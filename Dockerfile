# The daemon, and the Open vSwitch clients with which it programs a switch outside the container.
FROM node:20-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Not npm ci: it wants every platform's optional packages in the lock file. --no-save keeps the
# locked versions all the same.
RUN npm install --no-save --ignore-scripts
COPY . .
RUN npm run -s build && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends openvswitch-common \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY --from=build /build/prisma prisma
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
