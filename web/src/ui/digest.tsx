// A digest: short to read, whole on hover, one press to copy.
import { shortDigest } from '../format.ts';
import { CopyButton } from './copy-button.tsx';

export function Digest({ value, label }: { value: string; label: string }) {
  return (
    <span className="digest">
      <code title={value}>{shortDigest(value)}</code>
      <CopyButton text={value} label={label} />
    </span>
  );
}
