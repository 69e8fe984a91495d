// Resident memory of another process, as the operating system says it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Bytes; 0 when the process is gone or the system does not say. */
export function residentBytes(pid: number): number {
  try {
    if (process.platform === 'linux') {
      const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
      return Number(line?.[1] ?? 0) * 1024;
    }
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
  } catch {
    return 0;
  }
}
