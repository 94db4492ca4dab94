/** Types that several parts of the page share. */

import type { ErrorCode, PlainError } from "../lib/types.js";

/** Error codes of the page, which the package does not use. */
export type PageErrorCode =
  | "bad-archive"
  | "bad-audit"
  | "bad-images"
  | "missing-sample"
  | "no-clipboard"
  | "no-images"
  | "no-storage"
  | "not-a-file"
  | "page-error"
  | "storage-full"
  | "unknown-model"
  | "unreadable-file";

/** An error that the page shows. */
export type PageError = PlainError<ErrorCode | PageErrorCode>;

/** The page's `data-state`. */
export type PageState = "loading" | "ready" | "reading" | "done" | "error";
