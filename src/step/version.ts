// The version of the semantics: part of every decision, because a verdict is a function of spec, engine and steps.
export const ENGINE_VERSION = '0.1';
