/** Its members may do everything, whatever roles exist. */
export const PRIVILEGED_GROUP = "system:masters";
