// How much text is read as structure before it is left as free text. Data only.

/** Longest text read as structure, in UTF-16 units. */
export const TEXT_LENGTH_MAX = 1024 * 1024;
/** Deepest nesting of objects and lists. */
export const DEPTH_MAX = 64;
/** Most values in one text: objects, lists and scalars together. */
export const NODES_MAX = 65_536;
