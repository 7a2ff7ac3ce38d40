# bash completion for reconcile, made by `reconcile completion bash`.
# What is offered comes from `reconcile __complete`, names of files from bash.

_reconcile() {
    local gap word rest cur cut files line i
    local -a words=() lines=()

    # bash cuts words at `=` and `:` too: what no blank separates is one word.
    rest=${COMP_LINE:0:COMP_POINT}
    for ((i = 0; i <= COMP_CWORD; i++)); do
        gap=${rest%%[![:space:]]*}
        rest=${rest:${#gap}}
        word=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || word=$rest
        if [[ $i == 0 || -n $gap ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
        rest=${rest:${#word}}
    done
    ((${#words[@]} > 1)) || words+=("")
    for ((i = 1; i < ${#words[@]}; i++)); do
        word=${words[i]#[\"\']}
        words[i]=${word//\\/}
    done

    COMPREPLY=()
    while IFS= read -r line; do
        lines+=("$line")
    done < <(command "${words[0]/#\~\//$HOME/}" __complete -- "${words[@]:1}" 2>/dev/null)
    files=${lines[0]}
    cur=${words[${#words[@]} - 1]}
    cut=${cur%"${cur##*[=:]}"}
    for line in "${lines[@]:1}"; do
        line=${line%%$'\t'*}
        line=${line#"$cut"}
        printf -v line %q "$line"
        COMPREPLY+=("$line")
    done

    case $files in
        dirs) compopt -o plusdirs 2>/dev/null ;;
        files) compopt -o default 2>/dev/null ;;
        "files "*)
            compopt -o plusdirs 2>/dev/null
            while IFS= read -r line; do
                [[ ! -f $line ]] || COMPREPLY+=("$line") # bash quotes what plusdirs makes names
            done < <(compgen -f -X "!*.${files#files }" -- "${cur#"$cut"}")
            ;;
    esac
}

complete -F _reconcile reconcile
