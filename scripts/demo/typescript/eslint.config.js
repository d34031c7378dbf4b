import { configs } from "typescript-eslint";

export default [{ ignores: ["dist/"] }, ...configs.recommended];
