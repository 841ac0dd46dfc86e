export const TENANTS = ["north", "south"] as const;
export type Tenant = (typeof TENANTS)[number];

/** Whom a request is addressed to; absent, its own tenant. "nobody" is a tenant that is not there. */
export type Addressee = Tenant | "nobody" | undefined;

interface By {
  readonly as: Tenant;
}

/** What can be done, and with what. Resources are named by id: a label in the model. */
interface Parameters {
  readonly "create-vpc": By & { readonly block: string };
  readonly "delete-vpc": By & { readonly vpc: string };
  readonly "add-block": By & { readonly vpc: string; readonly block: string };
  readonly "remove-block": By & { readonly vpc: string; readonly block: string };
  readonly "create-subnet": By & { readonly vpc: string; readonly block: string };
  readonly "delete-subnet": By & { readonly subnet: string };
  readonly "create-table": By & { readonly vpc: string };
  readonly "delete-table": By & { readonly table: string };
  readonly associate: By & { readonly table: string; readonly subnet: string };
  readonly "create-route": By & {
    readonly table: string;
    readonly destination: string;
    readonly peering: string;
  };
  readonly "replace-route": By & {
    readonly table: string;
    readonly destination: string;
    readonly peering: string;
  };
  readonly "delete-route": By & { readonly table: string; readonly destination: string };
  readonly request: By & {
    readonly from: string;
    readonly to: string;
    readonly addressee: Addressee;
    readonly autoRoutes: boolean | undefined;
  };
  readonly accept: By & { readonly peering: string; readonly autoRoutes: boolean | undefined };
  readonly reject: By & { readonly peering: string };
  readonly "delete-peering": By & { readonly peering: string };
  /** The clock goes on. */
  readonly advance: { readonly hours: number };
  /** All sweeps run. */
  readonly sweep: object;
  /** The reconciler passes over everything, and the switch confirms it. */
  readonly confirm: object;
}

export type Kind = keyof Parameters;

export type Operation<K extends Kind = Kind> = {
  [P in K]: { readonly kind: P } & Parameters[P];
}[K];

/** One function for each kind of operation. */
export type Handlers<Target, Result> = {
  readonly [K in Kind]: (target: Target, operation: Operation<K>) => Result;
};

export function handle<K extends Kind, Target, Result>(
  handlers: Handlers<Target, Result>,
  target: Target,
  operation: Operation<K>,
): Result {
  const handler: (target: Target, operation: Operation<K>) => Result = handlers[operation.kind];
  return handler(target, operation);
}

/** What came of an operation: "ok" or the code of the refusal, and what a peering call answered. */
export interface Outcome {
  readonly code: string;
  readonly state?: string;
  readonly created?: boolean;
}
