package shell

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"sluice/manage/api"
	"sluice/manage/command"
)

// command has the gateway run a line. Files that the line names are read here, with the user's
// rights, and what the gateway asks is put to the user. The file that the answer brings is written,
// where the line names it: the gateway may have no other file of the user's read or written.
func (s *Shell) command(ctx context.Context, line string, p *pipeline) (api.Result, error) {
	req := api.Command{Line: line, Display: p.display, Compare: p.compare, Files: map[string][]byte{}, Answers: map[string]string{}}
	for {
		result, err := s.client.Command(ctx, req)
		if err != nil {
			return api.Result{}, err
		}
		switch {
		case result.File != "" && !names(line, result.File), result.Save != nil && !names(line, result.Save.Name):
			return api.Result{}, errors.New("the gateway asks for a file that the command does not name")
		case result.File != "":
			if req.Files[result.File], err = readFile(result.File); err != nil {
				return api.Result{}, err
			}
		case result.Question != nil:
			if req.Answers[result.Question.Name], err = s.answer(result.Question, p); err != nil {
				return api.Result{}, err
			}
		case result.Save != nil:
			return result, os.WriteFile(result.Save.Name, result.Save.Content, 0o644)
		default:
			return result, nil
		}
	}
}

// names says whether a word of a line is the name of a file.
func names(line, file string) bool {
	words, err := command.Split(line)
	return err == nil && slices.ContainsFunc(words, func(w command.Token) bool { return w.Text == file })
}

// answer puts a question to the user.
func (s *Shell) answer(q *api.Question, p *pipeline) (string, error) {
	if q.Name == api.Confirm && p.noConfirm {
		return "yes", nil
	}
	ask := s.ask
	if q.Secret {
		ask = s.askSecret
	}
	switch {
	case ask != nil:
		text, err := ask(q.Text)
		if errors.Is(err, io.EOF) {
			return "", nil // as if nothing were typed
		}
		return text, err
	case q.Name == api.Confirm:
		return "", &api.Error{Message: "nobody is there to ask: " + q.Text, Hint: "add | no-confirm to the command"}
	}
	return "", &api.Error{Message: "nobody is there to ask: " + q.Text, Hint: "give the " + q.Name + " in the command"}
}

// readFile reads a file that is sent to the gateway.
func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = &api.Error{Message: name + " is larger than 8 megabytes", Hint: "send it in parts"}
	}
	return content, err
}

// maxFile is how many bytes of a file are sent at most; two of them fit a request.
const maxFile = 8 << 20
