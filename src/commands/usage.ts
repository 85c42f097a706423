import { ForeseenError } from '../lib/foreseen.ts'

/** A command line that cannot be understood; the message says how it is meant. */
export class UsageError extends ForeseenError {
  /** EX_USAGE of sysexits.h. */
  override readonly exitCode = 64
}

export const usage = `Usage: todo [serve] [--workers N] [--proxy-headers] [--pretty]
       todo migrate                       bring the database to this version
       todo reset [--force]               drop everything, load the demo data
       todo user create EMAIL [--fname NAME] [--lname NAME] [--admin]
       todo user list
       todo user promote EMAIL            make an administrator
       todo user demote EMAIL             make an ordinary user of an administrator
       todo user password EMAIL           set a new password, end the sessions
       todo backup FILE [--force]         copy the SQLite database while it is in use
       todo restore FILE [--force]        put a backup in the database's place
       todo copy [--from URL] [--to URL]  copy everything to another, empty database;
                                          the URL left out is DATABASE_URL
       todo healthcheck                   exit 0 when the server here is well
       todo --version | --help

A password is asked for at a terminal, and otherwise read from standard input.
Options come from the environment and from .env; see docs/options.md.`
