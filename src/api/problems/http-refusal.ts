import type { ProblemContent } from "./problem.js";

/** The request asks for something of HTTP that is not offered here. */
export class HttpRefusal extends Error {
  override readonly name = "HttpRefusal";

  constructor(readonly problem: ProblemContent) {
    super(problem.detail);
  }
}
