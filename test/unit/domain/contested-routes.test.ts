import { describe, expect, test } from "vitest";
import { cidr } from "../../../src/domain/cidr.js";
import { findContest, type Rivals } from "../../../src/domain/contested-routes.js";

const NEW = "pcx-new";

interface Scene {
  /** Destinations of routes, with where they lead. */
  readonly routes?: Readonly<Record<string, string>>;
  /** Blocks of live peers. */
  readonly peers?: Readonly<Record<string, readonly string[]>>;
}

function rivals({ routes = {}, peers = {} }: Scene): Rivals {
  return {
    routes: Object.entries(routes).map(([destination, vpcPeeringId]) => ({
      destination: cidr(destination),
      vpcPeeringId,
    })),
    peers: Object.entries(peers).map(([vpcPeeringId, blocks]) => ({
      vpcPeeringId,
      blocks: blocks.map(cidr),
    })),
  };
}

function contest(destination: string, scene: Scene, addedLater: boolean) {
  const route = { destination: cidr(destination), vpcPeeringId: NEW, addedLater };
  return findContest(route, rivals(scene));
}

const CONTESTED: ReadonlyArray<readonly [string, Scene]> = [
  ["the same destination, routed elsewhere", { routes: { "10.3.5.0/24": "pcx-w" } }],
  ["the same destination, routed to the peer itself", { routes: { "10.3.5.0/24": NEW } }],
  ["a wider destination", { routes: { "10.3.0.0/16": "pcx-w" } }],
  ["one that is wider still", { routes: { "0.0.0.0/1": "pcx-w" } }],
  ["a narrower destination", { routes: { "10.3.5.7/32": "pcx-w" } }],
  ["the same block of another peer", { peers: { "pcx-w": ["10.3.5.0/24"] } }],
  ["a wider block of another peer", { peers: { "pcx-w": ["10.9.0.0/16", "10.3.0.0/16"] } }],
  ["a narrower block of another peer", { peers: { "pcx-w": ["10.3.5.128/25"] } }],
];

const FREE: ReadonlyArray<readonly [string, Scene]> = [
  ["nothing else", {}],
  ["a destination beside it", { routes: { "10.3.4.0/24": "pcx-w" } }],
  [
    "wider and narrower destinations that lead to the peer itself",
    { routes: { "10.3.0.0/16": NEW, "10.3.5.7/32": NEW } },
  ],
  ["a block beside it", { peers: { "pcx-w": ["10.3.4.0/24"] } }],
  ["blocks of the peer itself", { peers: { [NEW]: ["10.3.5.0/24", "10.3.0.0/16"] } }],
];

describe.each([true, false])("an automatic route, added later: %j", (addedLater) => {
  test.each(CONTESTED)("is contested by %s", (_, scene) => {
    expect(contest("10.3.5.0/24", scene, addedLater)).toBeDefined();
  });

  test.each(FREE)("is not contested by %s", (_, scene) => {
    expect(contest("10.3.5.0/24", scene, addedLater)).toBeUndefined();
  });

  test("says by what: a route of the table before a peer, the same destination first", () => {
    const peers = { "pcx-p": ["10.3.0.0/16"] };
    const routes = { "10.3.0.0/16": "pcx-w", "10.3.5.0/24": "pcx-x" };
    expect(contest("10.3.5.0/24", { peers, routes }, addedLater)).toEqual({
      by: "route",
      destination: cidr("10.3.5.0/24"),
      vpcPeeringId: "pcx-x",
    });
    expect(contest("10.3.6.0/24", { peers, routes }, addedLater)).toEqual({
      by: "route",
      destination: cidr("10.3.0.0/16"),
      vpcPeeringId: "pcx-w",
    });
    expect(contest("10.3.6.0/24", { peers }, addedLater)).toEqual({
      by: "peer",
      vpcPeeringId: "pcx-p",
    });
  });
});

test("a default route elsewhere counts for what a peer adds later only", () => {
  const scene = { routes: { "0.0.0.0/0": "pcx-w" } };
  expect(contest("10.3.5.0/24", scene, false)).toBeUndefined();
  expect(contest("10.3.5.0/24", scene, true)).toMatchObject({ vpcPeeringId: "pcx-w" });
  expect(contest("10.3.5.0/24", { routes: { "0.0.0.0/0": NEW } }, true)).toBeUndefined();
});
