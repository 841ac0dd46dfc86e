import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  covers,
  mayGrant,
  PERMISSIONS,
  permissionsOf,
  type Role,
  TENANT_ROLES,
} from "../../../src/domain/permissions.js";

describe("roles", () => {
  it("let a viewer read the network and nothing of the platform", () => {
    expect(permissionsOf(["viewer"])).toEqual([
      "vpc:read",
      "subnet:read",
      "network_interface:read",
      "route_table:read",
      "security_group:read",
      "vpc_peering:read",
      "event:read",
      "access_key:read",
    ]);
  });

  it("let a network-admin change the network and hand out no keys", () => {
    const permissions = permissionsOf(["network-admin"]);
    expect(permissions).toContain("vpc:delete");
    expect(permissions).toContain("vpc_peering:accept");
    expect(permissions.some((p) => p.startsWith("access_key"))).toBe(false);
    expect(permissions).not.toContain("event:read");
  });

  it("let the operator read everything and change no tenant's network", () => {
    const permissions = permissionsOf(["operator"]);
    const reads = PERMISSIONS.filter((permission) => permission.endsWith(":read"));
    expect(permissions).toEqual(expect.arrayContaining(reads));
    const network = permissions.filter((p) =>
      /^(vpc|subnet|network_interface|security_group|vpc_peering):/.test(p),
    );
    expect(network.every((permission) => permission.endsWith(":read"))).toBe(true);
    expect(permissions).toEqual(
      expect.arrayContaining(["tenant:create", "access_key:delete", "data_plane:reconcile"]),
    );
  });

  it("cannot be used to hand out more than one has", () => {
    const roles = fc.subarray<Role>([...TENANT_ROLES, "operator"]);
    fc.assert(
      fc.property(roles, roles, (own, wanted) => {
        const held = new Set(permissionsOf(own));
        const exceeds = permissionsOf(wanted).some((permission) => !held.has(permission));
        expect(mayGrant(own, wanted)).toBe(!exceeds);
      }),
    );
    expect(mayGrant(["admin"], ["network-admin"])).toBe(true);
    expect(mayGrant(["admin"], ["operator"])).toBe(false);
    expect(mayGrant(["network-admin"], ["admin"])).toBe(false);
  });
});

describe("wildcards", () => {
  it("cover one resource, or everything", () => {
    expect(covers("vpc_peering:*", "vpc_peering:accept")).toBe(true);
    expect(covers("vpc:*", "vpc_peering:accept")).toBe(false);
    expect(covers("*", "tenant:delete")).toBe(true);
    expect(covers("vpc:read", "vpc:update")).toBe(false);
  });
});
