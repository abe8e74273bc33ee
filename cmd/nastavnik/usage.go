package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError says that the command line itself is wrong.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// usageTemplate is cobra's, in Russian.
const usageTemplate = `Вызов:{{if .HasAvailableSubCommands}}
  {{.CommandPath}} КОМАНДА [флаги]{{else}}
  {{.UseLine}} [флаги]{{end}}{{if .HasExample}}

Примеры:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Команды:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Флаги:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Общие флаги:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

Подробнее о команде: {{.CommandPath}} КОМАНДА --help{{end}}
`

// russian makes cobra speak Russian where it has words of its own: help, and
// what is wrong with a command line.
func russian(root *cobra.Command) {
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError{flagError(cmd, err)} })
	root.PersistentFlags().BoolP("help", "h", false, "показать эту справку")
	root.Flags().Bool("version", false, "показать версию программы")
	root.SetHelpCommand(newHelp(root))
	root.CompletionOptions.HiddenDefaultCmd = true
	checkArgs(root)
}

func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [КОМАНДА]",
		Short: "Справка о команде",
		// Help is there even when the configuration cannot be read.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || c == root && len(rest) > 0 {
				return unknownCommand(root, args[0])
			}
			return c.Help()
		},
	}
}

// checkArgs makes wrong arguments usage errors, and unknown commands too.
func checkArgs(c *cobra.Command) {
	c.DisableFlagsInUseLine = true
	group := c.HasSubCommands()
	if group {
		c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		c.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		}
	} else if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if check(cmd, args) != nil {
				return usageError{fmt.Errorf("не те аргументы; нужно так: %s%s", cmd.UseLine(), hint(cmd))}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		checkArgs(sub)
	}
}

func unknownCommand(parent *cobra.Command, name string) error {
	meant := ""
	parent.SuggestionsMinimumDistance = 2
	if near := parent.SuggestionsFor(name); len(near) > 0 {
		meant = fmt.Sprintf("; может быть, %s %s?", parent.CommandPath(), slices.Min(near))
	}
	return usageError{fmt.Errorf("команды %q нет%s%s", name, meant, hint(parent))}
}

func hint(cmd *cobra.Command) string {
	return fmt.Sprintf("\nПодсказка: %s --help", cmd.CommandPath())
}

// flagError says what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var noValue *pflag.ValueRequiredError
	var badValue *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("флага %s нет%s", dashed(unknown.GetSpecifiedName()), hint(cmd))
	case errors.As(err, &noValue):
		return fmt.Errorf("у флага %s нет значения%s", dashed(noValue.GetSpecifiedName()), hint(cmd))
	case errors.As(err, &badValue):
		return fmt.Errorf("значение %q не подходит флагу --%s: %s%s", badValue.GetValue(), badValue.GetFlag().Name, badValue.GetFlag().Usage, hint(cmd))
	}
	return fmt.Errorf("%w%s", err, hint(cmd))
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
