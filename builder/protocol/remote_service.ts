/** A build service that builds in the place of this machine. */
export interface RemoteService {
  /** Its address, as `http://builder.example.com:8089`. */
  readonly url: string | URL;
  /** The token that it asks for. */
  readonly token?: string;
}
