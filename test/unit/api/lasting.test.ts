import { expect, it } from "vitest";
import { PROBLEMS, type ProblemCode } from "../../../src/api/problems/codes.js";
import { isLasting } from "../../../src/api/problems/lasting.js";

/** Refusals that an idempotency key repeats for a day, written out once more by hand. */
const LASTING = [
  "InvalidAccessKeyID.NotFound",
  "InvalidGroup.Duplicate",
  "InvalidNetworkInterfaceID.NotFound",
  "InvalidPermission.Duplicate",
  "InvalidRouteTableID.NotFound",
  "InvalidSecurityGroupRuleId.NotFound",
  "InvalidSubnet.Conflict",
  "InvalidSubnetID.NotFound",
  "InvalidVpcID.NotFound",
  "InvalidVpcPeeringConnectionID.NotFound",
  "MacAddressInUse",
  "NotFound",
  "OverlappingCidr",
  "PrivateIpInUse",
  "RouteAlreadyExists",
  "TenantAlreadyExists",
];

const codes = Object.keys(PROBLEMS) as ProblemCode[];

it("keeps only what tells of resources that are there, or are not for good", () => {
  expect(codes.filter(isLasting).sort()).toEqual(LASTING);
});

it("keeps nothing for want of room, nor what is under way", () => {
  const passing = codes.filter((code) => /Exceeded$|Insufficient|Deleting|InProgress/.test(code));
  expect(passing.length).toBeGreaterThan(10);
  expect(passing.filter(isLasting)).toEqual([]);
});
