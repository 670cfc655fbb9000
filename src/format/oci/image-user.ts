/** Who a process runs as, in numbers. */
export interface ResolvedUser {
  uid: number;
  gid: number;
  additionalGids: number[];
  /** Home directory; "/" for a user that the image does not know. */
  home: string;
}

/** Texts of the image's files; "" when absent. */
export interface UserFiles {
  passwd: string;
  group: string;
}

const ID_MAX = 2 ** 32 - 2;

/**
 * Resolves "", "uid", "name", "uid:gid", "name:group" against the image's files, as Docker does:
 * groups that list the user's name are added unless a group is given. A message when it cannot.
 */
export function resolveUser(text: string, files: UserFiles): ResolvedUser | string {
  const [userText = "", groupText] = text.split(":");
  const users = records(files.passwd);
  const groups = records(files.group);
  const wanted = userText || "0";
  const numeric = number(wanted);
  const user = users.find((fields) =>
    numeric === undefined ? fields[0] === wanted : number(fields[2]) === numeric,
  );
  const uid = numeric ?? number(user?.[2]);
  if (uid === undefined) return `unable to find user "${wanted}": no such user in /etc/passwd`;
  const home = user?.[5] || "/";
  if (groupText) {
    const gid = number(groupText) ?? number(groups.find((one) => one[0] === groupText)?.[2]);
    if (gid === undefined) return `unable to find group "${groupText}": not in /etc/group`;
    return { uid, gid, additionalGids: [], home };
  }
  const gid = number(user?.[3]) ?? 0;
  const name = user?.[0];
  const member = groups.filter((one) => name && (one[3] ?? "").split(",").includes(name));
  const additionalGids = member.flatMap((one) => number(one[2]) ?? []).filter((id) => id !== gid);
  return { uid, gid, additionalGids, home };
}

function records(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

function number(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= ID_MAX ? value : undefined;
}
