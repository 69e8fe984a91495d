// Programs and builtins whose arguments are no files and no hosts. POSIX.1-2024 (XCU 2.15, 3) and the Bash manual, chapter 4.
export const INERT: ReadonlySet<string> = new Set(
  `: true false echo printf test [ exit return break continue shift local declare typeset readonly unset export set shopt
  umask wait jobs bg fg kill pwd dirs sleep date seq expr basename dirname whoami id groups hostname uname arch nproc
  tty stty clear tput yes getopts let times type which hash ulimit ps top free uptime who w lsb_release printenv locale
  true cal pgrep pkill killall disown history fc help caller read mapfile readarray getconf rev nl_langinfo logname`
    .split(/\s+/)
    .filter((name) => name !== ''),
);
