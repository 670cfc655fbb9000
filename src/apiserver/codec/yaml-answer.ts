import { type DecodedYaml, decodeYaml, YamlSyntaxError } from "../../format/yaml-decode.ts";

/** What a text says, or what is wrong with it: errors lose their class between threads. */
export type YamlAnswer = DecodedYaml | { syntaxError: string };

/** Reads a text. */
export function answerTo(text: string): YamlAnswer {
  try {
    return decodeYaml(text);
  } catch (error) {
    if (error instanceof YamlSyntaxError) return { syntaxError: error.message };
    throw error;
  }
}
