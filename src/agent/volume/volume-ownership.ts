import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  openSync,
  readdirSync,
  type Stats,
} from "node:fs";

/** Whose group a volume is to belong to. */
export interface VolumeGroup {
  groupId: number;
  /** Leaves everything as it is when the volume's own directory is right already. */
  onlyOnMismatch: boolean;
  /** Called for each file and directory. */
  onEntry?: () => void;
}

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const SET_GROUP_ID = 0o2000;

/**
 * Gives all that lies in a volume to a group that may then read and write it (`fsGroup`). Another
 * pod may change the volume meanwhile: every step goes through a descriptor and follows no link.
 */
export function giveToGroup(directory: string, group: VolumeGroup): void {
  const fd = openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (group.onlyOnMismatch && isShared(fstatSync(fd), group.groupId)) return;
    shareTree(fd, group);
  } finally {
    closeSync(fd);
  }
}

function isShared(stats: Stats, groupId: number): boolean {
  const wanted = SET_GROUP_ID | 0o070;
  return stats.gid === groupId && (stats.mode & wanted) === wanted;
}

/** The directory itself last: `onlyOnMismatch` must not take half of the work for all of it. */
function shareTree(directoryFd: number, group: VolumeGroup): void {
  const path = `/proc/self/fd/${directoryFd}`;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const name = `${path}/${entry.name}`;
    if (entry.isDirectory() || entry.isFile()) shareEntry(name, group);
    else ignoreGone(() => lchownSync(name, -1, group.groupId));
  }
  share(directoryFd, group);
}

function shareEntry(name: string, group: VolumeGroup): void {
  ignoreGone(() => {
    const fd = openSync(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      if (fstatSync(fd).isDirectory()) shareTree(fd, group);
      else share(fd, group);
    } finally {
      closeSync(fd);
    }
  });
}

function share(fd: number, { groupId, onEntry }: VolumeGroup): void {
  onEntry?.();
  const stats = fstatSync(fd);
  fchownSync(fd, stats.uid, groupId);
  const executable = (stats.mode & 0o100) === 0 ? 0 : 0o010;
  const added = stats.isDirectory() ? SET_GROUP_ID | 0o070 : 0o060 | executable;
  fchmodSync(fd, (stats.mode & 0o7777) | added);
}

/** What was removed, or turned into a link, since it was listed needs nothing. */
function ignoreGone(change: () => void): void {
  try {
    change();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ELOOP" && code !== "ENXIO") throw error;
  }
}
