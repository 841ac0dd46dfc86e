// The last step of `npm run build`.
import { markBuilt } from "./lib/prepare.mjs";

markBuilt();
