import { CaptureFile } from "../../capture/capture_file.ts";
import { errors, failure, quote } from "../../errors.ts";

/**
 * Creates a file for results.
 *
 * @param what The option that names it, for the error.
 * @throws {Error} It exists already, or cannot be created; one line.
 */
export async function createNew(
  what: string,
  path: string,
): Promise<CaptureFile> {
  try {
    return await CaptureFile.create(path);
  } catch (error) {
    const exists = (error as { code?: unknown }).code === "EEXIST";
    throw failure(
      `write --${what} ${quote(path)}`,
      exists
        ? new errors.AlreadyExists(
          "the file exists; remove it, or give another name",
        )
        : error,
    );
  }
}
