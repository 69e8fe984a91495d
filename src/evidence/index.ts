// The evidence room's door: Merkle log, tiles, signed notes. Pure.

export {
  AttestationInvalid,
  type AttestationKey,
  type AttestationSigner,
  type Envelope,
  ed25519Key,
  ed25519Signer,
  IN_TOTO,
  openStatement,
  parseEnvelope,
  parseStatement,
  preAuthEncoding,
  readEnvelope,
  type Statement,
  signEnvelope,
  signedBy,
  statementIn,
  statementText,
} from './attestation/dsse.ts';
export { Frontier, type Subtree, wholeSubtrees } from './merkle/frontier.ts';
export {
  emptyRoot,
  HASH_BYTES,
  type HashBytes,
  leafHash,
  nodeHash,
  portableHash,
  sameHash,
} from './merkle/hash.ts';
export {
  type Consistency,
  consistencyProof,
  type Inclusion,
  inclusionProof,
  type ReadHash,
  rootOf,
  verifyConsistency,
  verifyGrowth,
  verifyInclusion,
} from './merkle/proof.ts';
export {
  type Checkpoint,
  checkpointText,
  encodeLogProof,
  type LogProof,
  openCheckpoint,
  parseCheckpoint,
  parseLogProof,
  verifyLogProof,
} from './note/checkpoint.ts';
export {
  cosignedAt,
  cosignerOf,
  encodeVkey,
  KeyInvalid,
  parseVkey,
  type Signer,
  signerOf,
  type Verifier,
  verifierOf,
} from './note/keys.ts';
export { type Note, NoteInvalid, openNote, parseNote, signNote } from './note/note.ts';
export { type Policy, PolicyInvalid, parsePolicy } from './note/policy.ts';
export {
  decodeEntries,
  ENTRY_BYTES_MAX,
  encodeEntries,
  encodeTile,
  hashesInTiles,
  newTiles,
  parseTilePath,
  TILE_WIDTH,
  type Tile,
  TileMissing,
  tilePath,
} from './tiles/tiles.ts';
