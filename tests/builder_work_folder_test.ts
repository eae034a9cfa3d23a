import { assertStringIncludes } from "@std/assert";
import { makeWorkFolder, sweepWorkFolders } from "../builder/files/work_folder.ts";
import { assertCode } from "./_errors.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("without a folder for temporary files a build fails with an error that names it", async () => {
  await using directory = await tempDirectory();
  const missing = directory.file("missing");
  const file = directory.file("file");
  await Deno.writeTextFile(file, "");
  for (const parent of [missing, file]) {
    for (const fails of [makeWorkFolder, sweepWorkFolders]) {
      const { message } = await assertCode(Promise.resolve(fails(parent)), "io");
      assertStringIncludes(message, parent);
      assertStringIncludes(message, "TMPDIR");
    }
  }
});
