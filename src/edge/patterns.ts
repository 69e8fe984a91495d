// For specs with patterns, in browsers and at the edge: RE2, linear in the text. Public as `interlock/edge/patterns`.
export { RE2 as patterns } from '../spec/engines/re2.ts';
