import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { CallTurn, LONGEST_WAIT_MS, type Queues } from "../turns/call-turn.js";
import { partyOf } from "../turns/party.js";
import { principalOf } from "./authentication.js";

declare module "fastify" {
  interface FastifyRequest {
    turn: CallTurn | undefined;
  }
}

/**
 * Lets each call of this scope wait for its turn. To be called after the scope asks for
 * credentials, and before anything of it works with the database.
 */
export function takeTurns(scope: FastifyInstance, queues: Queues): void {
  scope.decorateRequest("turn", undefined);
  // Not before the body is read and found valid: nobody holds a place by sending slowly.
  scope.addHook("preHandler", async (request, reply) => {
    const caller = principalOf(request);
    const turn = new CallTurn(queues, partyOf(caller));
    request.turn = turn;
    request.caller = { ...caller, turn };
    watchClient(turn, reply);
    if (await turn.take(LONGEST_WAIT_MS)) return;
    request.log.info("the caller has gone before it was its turn");
    // Nobody is there to be answered, and no hook or handler is to follow.
    reply.hijack();
  });
}

/**
 * Gives places back once an answer is made: nobody holds one by reading it slowly. To be called
 * after everything that works with the database before an answer goes out.
 */
export function giveTurnsBack(scope: FastifyInstance): void {
  scope.addHook("onSend", async ({ turn }: FastifyRequest) => turn?.done());
}

/** A call that is under way ends by itself when its client has gone: until then it needs a place. */
function watchClient(turn: CallTurn, { raw }: FastifyReply): void {
  raw.once("close", () => {
    if (raw.writableEnded) turn.done();
    else turn.giveUp();
  });
}
