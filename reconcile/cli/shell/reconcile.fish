# fish completion for reconcile, made by `reconcile completion fish`.
# What is offered comes from `reconcile __complete`, names of files from fish.

function __reconcile_complete
    set -l typed (commandline -ct)
    set -l before (commandline -opc)
    set -l program (string replace -r '^~/' "$HOME/" -- $before[1])
    set -l lines (command $program __complete -- $before[2..-1] "$typed" 2>/dev/null)
    set -l files $lines[1]
    test (count $lines) -gt 1; and printf '%s\n' $lines[2..-1]
    set -l name (string replace -r '^--[a-z-]+=' '' -- "$typed")
    set -l head (string sub -l (math (string length -- "$typed") - (string length -- "$name")) -- "$typed")
    set -l path (string unescape -- "$name") # what is typed may be quoted, names are not
    switch $files
        case dirs
            __fish_complete_directories "$name" "" | string replace -r '^' -- "$head"
        case files
            __fish_complete_path "$path" | string replace -r '^' -- "$head"
        case 'files *'
            set -l end (string replace 'files ' '' -- $files)
            __fish_complete_path "$path" | string match -r "^[^\t]*(?:\.$end|/)(?:\t.*)?\$" | string replace -r '^' -- "$head"
    end
end

complete -c reconcile -f -a '(__reconcile_complete)'
